CREATE TABLE "half" ("id" INTEGER PRIMARY KEY);
CREATE UNIQUE INDEX "posts_user_id_key" ON "posts"("user_id");

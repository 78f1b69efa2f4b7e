CREATE TABLE `half` (`id` integer PRIMARY KEY);
--> statement-breakpoint
CREATE UNIQUE INDEX `one_post` ON `posts` (`user_id`);

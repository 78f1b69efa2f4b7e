--liquibase formatted sql

--changeset app:1
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, title TEXT);

--changeset app:2
ALTER TABLE users ADD city TEXT;

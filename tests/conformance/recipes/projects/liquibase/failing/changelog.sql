--liquibase formatted sql

--changeset app:1
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, title TEXT);

--changeset app:4
CREATE TABLE half (id INTEGER PRIMARY KEY);
CREATE UNIQUE INDEX one_post ON posts (user_id);

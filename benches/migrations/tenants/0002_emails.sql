UPDATE users SET name = upper(name);
CREATE UNIQUE INDEX users_email ON users (email);

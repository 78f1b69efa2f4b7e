ALTER TABLE customers ADD COLUMN region TEXT DEFAULT 'none';

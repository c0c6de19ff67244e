"""A small shop: prices, carts, orders, receipts and stock."""

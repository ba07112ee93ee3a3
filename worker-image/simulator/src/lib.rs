//! The shop: catalog, search, pages, tasks, shoppers and rewards. No transport.

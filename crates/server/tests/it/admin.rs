mod customer_groups;
mod routes;

mod add_customers;
mod create;
mod delete;
mod list;
mod list_customers;
mod remove_customers;
mod retrieve;
mod update;

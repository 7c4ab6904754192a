mod create_session;
mod delete_session;
mod get_session;
mod get_token;

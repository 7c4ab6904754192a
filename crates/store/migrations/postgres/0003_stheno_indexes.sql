-- Only on a database of Stheno's own. Lists are shown the newest first, and rows of one time by id.
CREATE INDEX stheno_customer_group_created_at ON customer_group (created_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_group_updated_at ON customer_group (updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_created_at ON customer (created_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_customer_updated_at ON customer (updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX stheno_user_api_token ON "user" (api_token) WHERE api_token IS NOT NULL;

// A Medusa without Redis: its cache, its events and its sessions are in its memory.
module.exports = {
  projectConfig: {
    database_url: process.env.DATABASE_URL,
    jwt_secret: process.env.JWT_SECRET,
    cookie_secret: process.env.COOKIE_SECRET,
  },
  modules: {
    cacheService: { resolve: "@medusajs/cache-inmemory" },
    eventBus: { resolve: "@medusajs/event-bus-local" },
  },
  plugins: [],
};

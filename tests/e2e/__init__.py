"""Generated backends in their real surroundings: Better Auth, PgBouncer, a database that sleeps."""

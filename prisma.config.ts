import { defineConfig } from 'prisma/config'

// The address is handed over by whoever runs a command; `prisma generate` needs none.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
})

import { notFound } from './access.ts'
import type { Transaction } from './database.ts'
import { PlatformError } from './errors.ts'

/** The app's row, and nobody else changes it until the transaction ends. Throws `not-found`, `conflict` when deleted. */
export async function lockApp(tx: Transaction, id: string, options: { evenDeleted?: boolean } = {}) {
  await tx.$executeRaw`SELECT 1 FROM apps WHERE id = ${id} FOR UPDATE`
  const app = await tx.app.findUnique({ where: { id } })
  if (app === null) throw notFound('app')
  if (app.desiredState === 'deleted' && options.evenDeleted !== true) {
    throw new PlatformError('conflict', 'The app is being deleted.')
  }
  return app
}

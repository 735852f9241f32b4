import { PrismaPg } from '@prisma/adapter-pg'
import { Prisma, PrismaClient } from './generated/prisma/client.ts'

export type Database = PrismaClient
export type Transaction = Prisma.TransactionClient

/** Connects when it is first asked. Each process keeps a small pool: there are several on one machine. */
export function openDatabase(url: string, options: { poolSize?: number } = {}): Database {
  const adapter = new PrismaPg({
    connectionString: url,
    max: options.poolSize ?? 8,
    connectionTimeoutMillis: 5_000,
    // A server that hangs, or whose host is gone, says nothing at all: nobody may wait for it for ever.
    query_timeout: 10_000,
    // A server that is there gives up before that: what nobody waits for any more must not be done after all.
    statement_timeout: 9_000,
    idle_in_transaction_session_timeout: 60_000,
    idleTimeoutMillis: 60_000,
  })
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 10_000, timeout: 30_000 } })
}

/** A row with the same unique value is there already. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
}

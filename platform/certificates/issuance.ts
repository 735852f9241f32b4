/** How the asking for certificates goes, for people to see. */
import type { Transaction } from '../database.ts'
import { certificateStepSchema, type Issuance } from '../model/certificates.ts'
import { readOrder } from './acme/record.ts'
import type { Held } from './served.ts'

/** By name. Names that no authority is asked for have none. */
export async function issuancesOf(db: Transaction, held: readonly Held[]): Promise<Map<string, Issuance>> {
  const teams = new Map(held.map(({ name, teamId }) => [name, teamId]))
  const rows = await db.certificate.findMany({
    where: { name: { in: [...teams.keys()] }, source: 'acme' },
    select: {
      ...{ name: true, teamId: true, status: true, steps: true },
      ...{ failures: true, dueAt: true, workingUntil: true, order: true },
    },
  })
  const now = new Date()
  return new Map(
    rows
      .filter(({ name, teamId }) => teams.get(name) === teamId)
      .map((row) => {
        const steps = certificateStepSchema.array().safeParse(row.steps)
        const isWorking = row.workingUntil !== null && row.workingUntil > now
        const status = isWorking
          ? 'working'
          : row.status === 'active' || row.status === 'failed'
            ? row.status
            : 'waiting'
        const nextAt = row.dueAt?.toISOString() ?? null
        const record = readOrder(row.order)?.record ?? null
        const shown = { status, record, failures: row.failures, nextAt } as const
        return [row.name, { ...shown, steps: steps.success ? steps.data : [] }]
      }),
  )
}

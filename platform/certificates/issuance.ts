/** How the asking for certificates goes, for people to see. */
import type { Transaction } from '../database.ts'
import { certificateStepSchema, type Issuance } from '../model/certificates.ts'
import { baseOf } from '../model/domains.ts'
import { readOrder } from './acme/record.ts'
import { readStoredAcme } from './acme/stored.ts'
import { isLocalName } from './local-names.ts'
import { showSetter } from './records/stored.ts'
import type { Held } from './served.ts'

/** By name, of names that were shown. Those that no authority is asked for have none. */
export async function issuancesOf(db: Transaction, held: readonly Held[]): Promise<Map<string, Issuance>> {
  const teams = new Map(held.map(({ name, teamId }) => [name, teamId]))
  const rows = await db.certificate.findMany({
    where: { name: { in: [...teams.keys()] } },
    select: {
      source: true,
      ...{ name: true, teamId: true, status: true, steps: true },
      ...{ failures: true, dueAt: true, workingUntil: true, order: true, dnsProvider: true },
    },
  })
  const now = new Date()
  const found = new Map<string, Issuance>(
    rows
      .filter(({ name, teamId, source }) => source === 'acme' && teams.get(name) === teamId)
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
        const recordsBy = showSetter(row.dnsProvider)
        const shown = { status, record, recordsBy, failures: row.failures, nextAt } as const
        return [row.name, { ...shown, steps: steps.success ? steps.data : [] }]
      }),
  )
  const isKnown = new Set(rows.map(({ name }) => name))
  const asked = [...teams.keys()].filter((name) => !isKnown.has(name) && !isLocalName(baseOf(name)))
  if (asked.length === 0 || (await readStoredAcme(db)) === null) return found
  // A worker begins with them in a moment.
  for (const name of asked) found.set(name, soon)
  return found
}

const soon: Issuance = {
  status: 'waiting',
  steps: [],
  failures: 0,
  record: null,
  recordsBy: null,
  nextAt: null,
}

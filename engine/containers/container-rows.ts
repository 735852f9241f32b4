/** The table of containers, and what of it others see. */
import type { State } from '../state/database.ts'
import type { Container, ContainerSpec, ContainerStatus, Health } from './containers.ts'

export interface ContainerRow {
  id: string
  name: string
  spec: ContainerSpec
  status: ContainerStatus
  /** Whether it should run as far as its restart policy goes: false from create on, and after a stop. */
  wanted: boolean
  pid: number | null
  /** When that process started: see processStart. */
  pidStart: string | null
  bootId: string | null
  exitCode: number | null
  oomKilled: boolean
  memoryPeakBytes: number | null
  restarts: number
  /** Ends in a row that were not asked for: what the next restart waits for, also in another engine. */
  failures: number
  health: Health | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

export interface ContainerRows {
  insert(row: ContainerRow): void
  update(id: string, changes: Partial<Omit<ContainerRow, 'id'>>): void
  delete(id: string): void
  /** By id or name; nobody's name is another's id. */
  find(idOrName: string): ContainerRow | null
  all(): ContainerRow[]
}

const columns = {
  name: 'name',
  spec: 'spec',
  status: 'status',
  wanted: 'wanted',
  pid: 'pid',
  pidStart: 'pid_start',
  bootId: 'boot_id',
  exitCode: 'exit_code',
  oomKilled: 'oom_killed',
  memoryPeakBytes: 'memory_peak_bytes',
  restarts: 'restarts',
  failures: 'failures',
  health: 'health',
  createdAt: 'created_at',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
} as const

type Column = keyof typeof columns

export function createContainerRows({ db }: State): ContainerRows {
  const names = Object.keys(columns) as Column[]
  const bind = (value: ContainerRow[Column]) => {
    if (typeof value === 'object' && value !== null) return JSON.stringify(value)
    return typeof value === 'boolean' ? Number(value) : value
  }

  return {
    insert(row) {
      const list = ['id', 'image', ...names.map((name) => columns[name])]
      db.prepare(`INSERT INTO containers (${list}) VALUES (${list.map(() => '?')})`).run(
        row.id,
        row.spec.image,
        ...names.map((name) => bind(row[name])),
      )
    },
    update(id, changes) {
      const given = names.filter((name) => changes[name] !== undefined)
      const set = given.map((name) => `${columns[name]} = ?`)
      db.prepare(`UPDATE containers SET ${set} WHERE id = ?`).run(
        ...given.map((name) => bind(changes[name] ?? null)),
        id,
      )
    },
    delete: (id) => void db.prepare('DELETE FROM containers WHERE id = ?').run(id),
    find(idOrName) {
      const row = db.prepare('SELECT * FROM containers WHERE id = ?1 OR name = ?1').get(idOrName)
      return row ? rowOf(row) : null
    },
    all: () => db.prepare('SELECT * FROM containers ORDER BY created_at, id').all().map(rowOf),
  }
}

function rowOf(row: Record<string, unknown>): ContainerRow {
  const text = (value: unknown) => (value === null ? null : String(value))
  const number = (value: unknown) => (value === null ? null : Number(value))
  return {
    id: String(row.id),
    name: String(row.name),
    spec: JSON.parse(String(row.spec)),
    status: String(row.status) as ContainerStatus,
    wanted: row.wanted === 1,
    pid: number(row.pid),
    pidStart: text(row.pid_start),
    bootId: text(row.boot_id),
    exitCode: number(row.exit_code),
    oomKilled: row.oom_killed === 1,
    memoryPeakBytes: number(row.memory_peak_bytes),
    restarts: Number(row.restarts),
    failures: Number(row.failures),
    health: row.health === null ? null : JSON.parse(String(row.health)),
    createdAt: String(row.created_at),
    startedAt: text(row.started_at),
    finishedAt: text(row.finished_at),
  }
}

/** What others may see of a row. @param address in the network of its spec */
export function containerOf(row: ContainerRow, address: string): Container {
  const {
    id,
    name,
    spec,
    status,
    pid,
    exitCode,
    oomKilled,
    memoryPeakBytes,
    restarts,
    health,
    createdAt,
    startedAt,
    finishedAt,
  } = row
  return {
    id,
    name,
    image: spec.image,
    status,
    labels: spec.labels ?? {},
    network: spec.network,
    address,
    pid,
    exitCode,
    oomKilled,
    memoryPeakBytes,
    restarts,
    health,
    createdAt,
    startedAt,
    finishedAt,
  }
}

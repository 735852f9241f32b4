/** `ps`, with the flags that Docker's users know. */
import type { Command } from 'commander'
import type { ListedRow } from '../../platform/model/engine-door.ts'
import { CommandError } from '../say.ts'
import { openDoor } from './door.ts'
import { type Filter, filter, hasLabel, passes, withDigests } from './filter.ts'
import { type ListingOptions, showRows } from './listing.ts'
import { command, type EngineOptions } from './options.ts'
import { age, ago, short } from './table.ts'

const filterKeys = [
  ...['name', 'id', 'status', 'label', 'network', 'ancestor', 'exited', 'health'],
  ...['before', 'since', 'volume', 'publish'],
] as const

export function addListCommand(engine: Command): void {
  command(engine, 'ps', 'list containers')
    .option('-a, --all', 'those that do not run too')
    .option('-q, --quiet', 'names alone')
    .option('-n, --last <n>', 'the last ones that were made, also those that do not run', Number)
    .option('-l, --latest', 'the last one that was made, also if it does not run')
    .option('-f, --filter <key=value>', `only those of this ${filterKeys.join(', ')}`, filter(filterKeys))
    .option(
      '--format <template>',
      'such as {{.Names}}: {{.Status}}, table {{.Names}}\\t{{.Address}}, or json',
      'table',
    )
    .option('--no-trunc', 'whole digests')
    .action(list)
}

interface ListOptions extends EngineOptions, ListingOptions {
  all?: boolean
  last?: number
  latest?: boolean
  filter?: Filter[]
  trunc: boolean
}

async function list(options: ListOptions): Promise<void> {
  const last = options.latest ? 1 : options.last
  const door = openDoor(options)
  const rows = await door.ask<ListedRow[]>('GET', '/containers')
  const filters = withMoments(await withDigests(door, options.filter ?? [], 'ancestor'), rows)
  const isAll = options.all || last !== undefined || filters.some(({ key }) => /status|exited/.test(key))
  const found = rows
    .filter(({ status }) => isAll || status === 'running' || status === 'paused')
    .filter((row) => passes(filters, (each) => isOf(each, row)))
  const shown = last === undefined ? found : found.slice(-last)
  const imageOf = ({ image }: ListedRow) => (options.trunc ? short(image) : image)
  showRows(options, shown, ({ name }) => name, {
    headings: {
      ...{
        ID: 'ID',
        Names: 'CONTAINER',
        Name: 'CONTAINER',
        Image: 'IMAGE',
        Status: 'STATUS',
        State: 'STATE',
      },
      ...{ RunningFor: 'CREATED', CreatedAt: 'CREATED AT', Networks: 'NETWORK', Address: 'ADDRESS' },
      ...{ Labels: 'LABELS', Command: 'COMMAND', Ports: 'PORTS', Mounts: 'VOLUMES' },
    },
    columns: ['Names', 'Image', 'RunningFor', 'Status', 'Networks', 'Address', 'Ports'],
    rows: shown.map((row) => fieldsOf(row, imageOf(row), options.trunc)),
  })
}

/** With Docker's names, for --format. */
function fieldsOf(row: ListedRow, image: string, isShort: boolean) {
  const { id, name, createdAt, network, address, status } = row
  const labels = Object.entries(row.labels).map(([key, value]) => `${key}=${value}`)
  return {
    ...{ ID: id, Names: name, Name: name, Image: image, Status: words(row), State: status },
    ...{ RunningFor: ago(createdAt), CreatedAt: createdAt, Networks: network, Address: address },
    ...{ Labels: labels.join(','), Mounts: row.volumes.join(','), Ports: row.ports.map(portOf).join(', ') },
    Command: JSON.stringify(clipped(row.command.join(' '), isShort)),
  }
}

const commandLength = 20

function clipped(command: string, isShort: boolean): string {
  return isShort && command.length > commandLength ? `${command.slice(0, commandLength - 1)}…` : command
}

/** 0.0.0.0:8080->80/tcp */
function portOf({ hostAddress, hostPort, containerPort, protocol }: ListedRow['ports'][number]): string {
  return `${hostAddress}:${hostPort}->${containerPort}/${protocol}`
}

/** Containers that `before` and `since` name, as the times when they were made. */
function withMoments(filters: Filter[], rows: ListedRow[]): Filter[] {
  return filters.map(({ key, value }) => {
    if (key !== 'before' && key !== 'since') return { key, value }
    const other = rows.find(({ id, name }) => id === value || name === value)
    if (other === undefined) throw new CommandError(`There is no container ${value}.`)
    return { key, value: other.createdAt }
  })
}

function isOf({ key, value }: Filter, row: ListedRow): boolean {
  switch (key) {
    case 'name':
      return row.name.includes(value)
    case 'id':
      return row.id.startsWith(value)
    case 'label':
      return hasLabel(row.labels, value)
    case 'ancestor':
      return short(row.image).startsWith(short(value))
    case 'before':
      return row.createdAt < value
    case 'since':
      return row.createdAt > value
    case 'volume':
      return row.volumes.includes(value)
    case 'publish':
      return row.ports.some(({ hostPort, protocol }) =>
        [`${hostPort}`, `${hostPort}/${protocol}`].includes(value),
      )
    case 'exited':
      return row.status === 'exited' && String(row.exitCode) === value
    case 'health':
      return (row.health?.status ?? 'none') === value
    case 'network':
      return row.network === value
    default:
      return row.status === value
  }
}

/** Up 5 minutes (healthy) · Exited (137, out of memory) 3 hours ago. */
function words(row: ListedRow): string {
  const again = row.restarts > 0 ? `, restarted ${row.restarts}×` : ''
  const health = row.health ? ` (${row.health.status})` : ''
  if (row.status === 'running') return `Up ${age(row.startedAt)}${health}${again}`
  if (row.status !== 'exited') return `${row.status.charAt(0).toUpperCase()}${row.status.slice(1)}`
  const why = row.oomKilled ? `${row.exitCode ?? '?'}, out of memory` : `${row.exitCode ?? '?'}`
  return `Exited (${why}) ${ago(row.finishedAt)}${again}`
}

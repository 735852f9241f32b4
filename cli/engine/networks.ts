import { type Command, Option } from 'commander'
import type { NetworkRow } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { openDoor } from './door.ts'
import { type Filter, filter, passes } from './filter.ts'
import { type ListingOptions, showRows } from './listing.ts'
import { inspectEach, removeEach } from './named.ts'
import { collect, command, type EngineOptions, printJson } from './options.ts'
import { withRefused } from './refused-options.ts'

export function addNetworkCommands(engine: Command): void {
  const network = engine.command('network').description('private networks')
  command(network, 'ls', 'list networks')
    .option('-q, --quiet', 'names alone')
    .option('-f, --filter <key=value>', `only those of this ${filterKeys.join(', ')}`, filter(filterKeys))
    .option('--format <template>', 'such as {{.Name}}: {{.Subnet}}, or json', 'table')
    .option('--no-trunc', 'nothing: names are shown whole anyway')
    .action(list)
  withRefusals(command(network, 'create', 'make a network'))
    .argument('<name>', '1–64 of a–z, 0–9, _ and -')
    .addOption(new Option('-d, --driver <name>', 'there is one').choices(['bridge']))
    .option('--internal', 'nothing outside it can be reached')
    .option('--egress <range>', 'only these addresses can be reached, such as 10.20.0.0/16', collect)
    .action(create)
  command(network, 'inspect', 'networks and who is on them, as JSON')
    .argument('<network...>', 'names')
    .option('-f, --format <template>', 'such as {{.subnet}} or {{len .attachments}}')
    .action((names: string[], options: EngineOptions & { format?: string }) =>
      inspectEach(names, '/networks', options),
    )
  command(network, 'connect', 'put a container on one more network')
    .argument('<network>', 'its name')
    .argument('<container>', 'its name')
    .option('--alias <name>', 'a name for it there', collect)
    .action(async (name: string, container: string, options: EngineOptions & { alias?: string[] }) => {
      const body = { container, aliases: options.alias ?? [] }
      await openDoor(options).ask('POST', `/networks/${encodeURIComponent(name)}/attach`, { body })
    })
  command(network, 'disconnect', 'take a container off a network')
    .argument('<network>', 'its name')
    .argument('<container>', 'its name')
    .option('-f, --force', 'nothing: one that runs is taken off anyway')
    .action(async (name: string, container: string, options: EngineOptions) => {
      const body = { container }
      await openDoor(options).ask('POST', `/networks/${encodeURIComponent(name)}/detach`, { body })
    })
  command(network, 'prune', 'remove networks that no container is on')
    .option('--dry-run', 'say what would go')
    .option('-f, --force', 'nothing: nobody is asked, as nothing is lost with them')
    .action(prune)
  command(network, 'rm', 'remove networks that have no containers')
    .argument('<network...>', 'names')
    .option('-f, --force', 'say nothing of one that is not there')
    .action((names: string[], options: EngineOptions & { force?: boolean }) =>
      removeEach(names, '/networks', options),
    )
}

const filterKeys = ['name', 'egress'] as const

interface ListOptions extends EngineOptions, ListingOptions {
  filter?: Filter[]
}

async function list(options: ListOptions): Promise<void> {
  const all = await openDoor(options).ask<NetworkRow[]>('GET', '/networks')
  const egressOf = ({ egress }: NetworkRow) => (typeof egress === 'string' ? egress : egress.join(', '))
  const rows = all.filter((row) =>
    passes(options.filter ?? [], ({ key, value }) =>
      key === 'name' ? row.name.includes(value) : egressOf(row) === value,
    ),
  )
  showRows(options, rows, ({ name }) => name, {
    headings: {
      ...{ Name: 'NETWORK', ID: 'NETWORK', Bridge: 'BRIDGE', Subnet: 'SUBNET', Gateway: 'GATEWAY' },
      ...{ Egress: 'EGRESS', Internal: 'INTERNAL', Driver: 'DRIVER' },
    },
    columns: ['Name', 'Bridge', 'Subnet', 'Gateway', 'Egress'],
    rows: rows.map((row) => ({
      ...{ Name: row.name, ID: row.name, Bridge: row.bridge, Subnet: row.subnet, Gateway: row.gateway },
      ...{ Egress: egressOf(row), Internal: String(row.egress === 'none'), Driver: 'bridge' },
    })),
  })
}

/** What Docker's networks can be told, and these can't. */
function withRefusals(create: Command): Command {
  const pool = 'The engine cuts each network from its own range, where the host has no route: leave it away.'
  const refused = { '--subnet <range>': pool, '--gateway <address>': pool, '--ip-range <range>': pool }
  const ipv6 = { '--ipv6': 'There is no IPv6 in networks here, so that nothing is open by it.' }
  return withRefused(create, { ...refused, ...ipv6 })
}

async function create(
  name: string,
  options: EngineOptions & { internal?: boolean; egress?: string[] },
): Promise<void> {
  const { internal, egress } = options
  if (internal && egress !== undefined)
    throw new CommandError('--internal and --egress contradict each other: give one of them.')
  const body = { name, egress: internal ? 'none' : (egress ?? 'all') }
  const made = await openDoor(options).ask<NetworkRow>('POST', '/networks', { body })
  if (options.json) return printJson(made)
  say(made.name)
}

async function prune(options: EngineOptions & { dryRun?: boolean }): Promise<void> {
  const door = openDoor(options)
  const unused: string[] = []
  for (const { name } of await door.ask<NetworkRow[]>('GET', '/networks')) {
    const path = `/networks/${encodeURIComponent(name)}`
    const { attachments } = await door.ask<{ attachments: unknown[] }>('GET', path)
    if (attachments.length > 0) continue
    // Refused where somebody came to it meanwhile.
    if (!options.dryRun) await door.ask('DELETE', path)
    unused.push(name)
    if (!options.json) say(`${options.dryRun ? 'Would delete' : 'Deleted'}: ${name}`)
  }
  if (options.json) printJson(unused)
}

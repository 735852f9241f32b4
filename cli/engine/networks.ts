import type { Command } from 'commander'
import type { NetworkRow } from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { openDoor } from './door.ts'
import { collect, command, type EngineOptions, forEach, printJson } from './options.ts'
import { table } from './table.ts'

export function addNetworkCommands(engine: Command): void {
  const network = engine.command('network').description('private networks')
  command(network, 'ls', 'list networks').action(async (options: EngineOptions) => {
    const rows = await openDoor(options).ask<NetworkRow[]>('GET', '/networks')
    if (options.json) return printJson(rows)
    const lines = rows.map(({ name, bridge, subnet, gateway, egress }) => [
      ...[name, bridge, subnet, gateway],
      typeof egress === 'string' ? egress : egress.join(', '),
    ])
    say(table(['NETWORK', 'BRIDGE', 'SUBNET', 'GATEWAY', 'EGRESS'], lines))
  })
  command(network, 'create', 'make a network')
    .argument('<name>', '1–64 of a–z, 0–9, _ and -')
    .option('--internal', 'nothing outside it can be reached')
    .option('--egress <range>', 'only these addresses can be reached, such as 10.20.0.0/16', collect)
    .action(create)
  command(network, 'inspect', 'networks and who is on them, as JSON')
    .argument('<network...>', 'names')
    .action(async (names: string[], options: EngineOptions) => {
      const door = openDoor(options)
      const found: unknown[] = []
      for (const name of names) found.push(await door.ask('GET', `/networks/${encodeURIComponent(name)}`))
      printJson(found)
    })
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
    .action(async (name: string, container: string, options: EngineOptions) => {
      const body = { container }
      await openDoor(options).ask('POST', `/networks/${encodeURIComponent(name)}/detach`, { body })
    })
  command(network, 'prune', 'remove networks that no container is on')
    .option('--dry-run', 'say what would go')
    .action(prune)
  command(network, 'rm', 'remove networks that have no containers')
    .argument('<network...>', 'names')
    .action(async (names: string[], options: EngineOptions) => {
      const door = openDoor(options)
      await forEach(names, async (name) => {
        await door.ask('DELETE', `/networks/${encodeURIComponent(name)}`)
        return name
      })
    })
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

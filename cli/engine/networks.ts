import type { Command } from 'commander'
import type { NetworkRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { openDoor } from './door.ts'
import { command, type EngineOptions, forEach, printJson } from './options.ts'
import { table } from './table.ts'

export function addNetworkCommands(engine: Command): void {
  const network = engine.command('network').description('private networks')
  command(network, 'ls', 'list networks').action(async (options: EngineOptions) => {
    const rows = await openDoor(options).ask<NetworkRow[]>('GET', '/networks')
    if (options.json) return printJson(rows)
    const lines = rows.map(({ name, bridge, subnet, gateway }) => [name, bridge, subnet, gateway])
    say(table(['NETWORK', 'BRIDGE', 'SUBNET', 'GATEWAY'], lines))
  })
  command(network, 'create', 'make a network')
    .argument('<name>', '1–64 of a–z, 0–9, _ and -')
    .action(async (name: string, options: EngineOptions) => {
      const made = await openDoor(options).ask<NetworkRow>('POST', '/networks', { body: { name } })
      if (options.json) return printJson(made)
      say(made.name)
    })
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

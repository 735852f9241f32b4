/** Interfaces by which the host sends what is for others to pass on. Source: proc_pid_net(5), route.h. */
import { readFileSync } from 'node:fs'

const viaGateway = 0x2

/** Names, sorted, each once. */
export function uplinks(): string[] {
  const links = readFileSync('/proc/net/route', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter(
      ([, destination, , flags]) =>
        destination === '00000000' || Number.parseInt(flags ?? '0', 16) & viaGateway,
    )
    .map(([link = '']) => link)
  return [...new Set(links)].sort()
}

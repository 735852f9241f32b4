import { readFileSync } from 'node:fs'

/** Another one at every start of the host. Source: random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'

const atOnce = 2

/** The fastest decompressor there is. */
export function fastestGunzip(): string {
  return ['igzip', 'pigz', 'gzip'].find((name) => existsSync(`/usr/bin/${name}`)) ?? 'gzip'
}

/**
 * What no engine that unpacks can do without: reads, decompresses and writes the layers with the fastest tools there
 * are, two at once, and then has the disk take them. No digest is computed, nothing is checked.
 */
export async function unpackWithTools(blobs: string[], folder: string, signal: AbortSignal): Promise<void> {
  const queue = [...blobs.entries()]
  const some = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, blob] = next
      const target = join(folder, String(index))
      mkdirSync(target, { recursive: true })
      const tar = ['tar', '-x', '--numeric-owner', '--use-compress-program', fastestGunzip()]
      await run([...tar, '-f', blob, '-C', target], { signal })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, some))
  await run(['sync', '--file-system', folder], { signal })
}

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../cli/settings.ts'
import type { BenchContext } from '../bench.ts'
import { startPart } from './part.ts'

export interface BenchRegistry {
  /** Such as localhost:40123. Every client takes a registry on the loopback without TLS. */
  host: string
  url: string
  /** Its files. */
  folder: string
}

/** Debian's docker-registry on a free loopback port, its files below the bench's folder. */
export async function startRegistry(context: BenchContext, name = 'registry'): Promise<BenchRegistry> {
  const port = await freePort()
  const folder = join(context.folder, name)
  const file = `${folder}.yml`
  writeFileSync(
    file,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n` +
      `storage:\n  filesystem: {rootdirectory: ${folder}}\n  delete: {enabled: true}\n` +
      `http: {addr: '127.0.0.1:${port}', relativeurls: true}\n`,
  )
  const url = `http://127.0.0.1:${port}`
  await startPart(context, {
    argv: ['docker-registry', 'serve', file],
    log: `${folder}.log`,
    isReady: async () => (await fetch(`${url}/v2/`)).ok,
  })
  return { host: `localhost:${port}`, url, folder }
}

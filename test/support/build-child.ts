/** An engine in a process of its own, to be killed: builds once, and tells when a sandbox waits for the next build. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BuildSpec, createEngine, type EngineOptions } from '../../engine/index.ts'

const { options, spec, source } = JSON.parse(process.argv[2] ?? '') as {
  options: EngineOptions
  spec: Omit<BuildSpec, 'source' | 'timestamp'>
  /** A tar archive, in base64. */
  source: string
}
const engine = await createEngine(options)
const open = () => Readable.from([Buffer.from(source, 'base64')])
await engine.builder.build({ ...spec, source: { open, format: 'tar' } }, {})
const waits = async () => (await engine.containers.list()).find(({ id }) => id.startsWith('spare-'))
for (let found = await waits(); ; found = await waits()) {
  if (found?.status === 'running') {
    process.send?.({ waits: found.id })
    break
  }
  await sleep(20)
}
setInterval(() => {}, 1_000)

/** An engine in a process of its own, to be killed: makes and starts containers for as long as it lives. */
import { type ContainerSpec, createEngine, type EngineOptions } from '../../engine/index.ts'

const { options, spec, loop } = JSON.parse(process.argv[2] ?? '') as {
  options: EngineOptions
  spec: ContainerSpec
  loop: boolean
}
const engine = await createEngine(options)
for (let count = 0; count === 0 || loop; count++) {
  const id = `${spec.id}-${count}`
  await engine.containers.create({ ...spec, id })
  await engine.containers.start(id)
  process.send?.({ started: id })
  if (loop) await engine.containers.remove(id, { force: true })
}
setInterval(() => {}, 1_000)

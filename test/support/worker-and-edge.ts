/** The worker of a test's platform as a process of its own, and HAProxy as the worker configures it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createEngine } from '../../engine/index.ts'
import { get, spawnHaproxy } from './edge.ts'
import type { TestPlatform } from './platform.ts'
import { until } from './until.ts'

export interface WorkerAndEdge {
  /** Kills the worker; the next one starts after `meanwhile`. */
  restart(meanwhile: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

export async function startWorkerAndEdge({ config, environment }: TestPlatform): Promise<WorkerAndEdge> {
  await mkdir(join(config.home, 'run'), { recursive: true })
  const ready = join(config.home, 'run/worker.ready')
  let worker = await start()
  const haproxy = spawnHaproxy(config.home)
  await until('the edge answers', async () => (await get(config.port, 'nobody.example')).status === 404)

  async function start(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['worker/main.ts'], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    })
    await until('the worker is ready', () => {
      if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}`)
      return existsSync(ready) && JSON.parse(readFileSync(ready, 'utf8')).pid === child.pid
    })
    return child
  }

  async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  return {
    async restart(meanwhile) {
      await stop(worker, 'SIGKILL')
      await meanwhile()
      worker = await start()
    },
    async close() {
      await stop(worker, 'SIGTERM')
      await stop(haproxy, 'SIGTERM')
      const engine = await createEngine({ stateDir: join(config.home, 'engine') })
      for (const { id } of await engine.containers.list()) await engine.containers.remove(id, { force: true })
      for (const { name } of await engine.networks.list()) await engine.networks.remove(name)
      await engine.close()
    },
  }
}

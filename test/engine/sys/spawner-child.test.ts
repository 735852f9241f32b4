import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { processStart } from '../../../engine/sys/processes.ts'
import { until } from '../../support/until.ts'

const file = join(import.meta.dirname, '../../../engine/sys/spawner-child.ts')

test('the process that starts others ends quietly when it has an answer for somebody who died', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-spawner-'))
  const [pidFile, goFile] = [join(folder, 'pid'), join(folder, 'go')]
  const child = fork(file, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const ended = once(child, 'exit')
  try {
    const script = `echo $$ >${pidFile}.new; mv ${pidFile}.new ${pidFile}
      while ! test -e ${goFile}; do sleep 0.01; done; echo '{"data": 1}' >&3`
    child.send({ id: 1, argv: ['/bin/sh', '-c', script], timeoutMs: 30_000, monitor: true })
    const pid = Number(await until('it runs', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8')))
    // What was said and that we are gone wait for it together, in this order.
    child.kill('SIGSTOP')
    writeFileSync(goFile, '')
    await until('it has said something', () => processStart(pid) === null)
    child.disconnect()
    child.kill('SIGCONT')
    expect(await ended).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})

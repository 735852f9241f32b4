/** One health check. What it says is cut: it comes from the container, and is kept. */
import { get } from 'node:http'
import { connect } from 'node:net'
import type { ContainerExec, HealthTest } from './containers.ts'

const maxOutputBytes = 4_096

export interface CheckContext {
  id: string
  address: string
  execs: ContainerExec
  /** Aborted when the time is over, too. */
  signal: AbortSignal
  settings: { timeoutMs: number }
}

/** Never throws: what keeps it from an answer, also the signal, is a bad one, and `output` says what it was. */
export async function checkOnce(
  test: HealthTest,
  context: CheckContext,
): Promise<{ isGood: boolean; output: string }> {
  try {
    return await run(test, context)
  } catch (error) {
    const late = context.signal.aborted ? `no answer in ${context.settings.timeoutMs} ms` : null
    return { isGood: false, output: late ?? (error as Error).message }
  }
}

function run(test: HealthTest, context: CheckContext): Promise<{ isGood: boolean; output: string }> {
  switch (test.kind) {
    case 'http':
      return checkHttp(test.port, test.path ?? '/', context)
    case 'tcp':
      return checkTcp(test.port, context)
    case 'command':
      return checkCommand(test.command, context)
  }
}

function checkHttp(port: number, path: string, { address, signal }: CheckContext) {
  return new Promise<{ isGood: boolean; output: string }>((resolve, reject) => {
    // A connection of its own: one that is kept would hide that nobody accepts new ones.
    const request = get({ host: address, port, path, agent: false, signal }, (response) => {
      const status = response.statusCode ?? 0
      response.destroy()
      resolve({ isGood: status >= 200 && status < 400, output: `the answer was ${status}` })
    })
    request.on('error', reject)
  })
}

function checkTcp(port: number, { address, signal }: CheckContext) {
  return new Promise<{ isGood: boolean; output: string }>((resolve, reject) => {
    const socket = connect({ host: address, port, signal })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.destroy()
      resolve({ isGood: true, output: '' })
    })
  })
}

async function checkCommand(command: string[], { id, execs, signal }: CheckContext) {
  const run = await execs.exec(id, { command }, { signal })
  const parts: Buffer[] = []
  let bytes = 0
  const keep = (chunk: Buffer) => {
    if (bytes < maxOutputBytes) parts.push(chunk)
    bytes += chunk.length
  }
  run.output.on('data', keep)
  run.errors?.on('data', keep)
  const exitCode = await run.exited
  signal.throwIfAborted()
  const output = Buffer.concat(parts).subarray(0, maxOutputBytes).toString('utf8')
  return { isGood: exitCode === 0, output }
}

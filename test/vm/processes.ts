import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Throws with what it said unless it ends with 0. Answers with its output. */
export async function mustRun(
  argv: string[],
  options: { cwd?: string; input?: string } = {},
): Promise<string> {
  const [file = '', ...args] = argv
  const child = spawn(file, args, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.end(options.input)
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`${signal ?? `exit code ${code}`}: ${argv.join(' ')}: ${stderr.trim()}`)
  return stdout
}

/** Ends it when its time is over, or when we are to end. */
export async function runFor(
  argv: string[],
  { limitMs, isShown }: { limitMs: number; isShown: boolean },
): Promise<{ isGood: boolean; ending: string }> {
  const [file = '', ...args] = argv
  const shown = isShown ? 'inherit' : 'ignore'
  const child = spawn(file, args, { stdio: ['ignore', shown, 'inherit'] })
  const kill = () => child.kill('SIGKILL')
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, kill)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    kill()
  }, limitMs)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  for (const signal of signals) process.off(signal, kill)
  const ending = isLate ? `its ${limitMs / 1_000} s were over` : `${file} ended with ${signal ?? code}`
  return { isGood: !isLate && code === 0, ending }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { type GoSpec, goLine, waitCommand } from '../../../engine/builder/ahead.ts'

/** What a shell that waited says of that, and its exit code. */
async function went(spec: GoSpec, behind: string): Promise<{ said: string; code: number }> {
  const [shell = '', ...args] = waitCommand
  const child = spawn('busybox', [shell, ...args])
  child.stdin.on('error', () => {})
  const exit = once(child, 'exit')
  child.stdin.end(goLine(spec) + behind)
  const said = await text(child.stdout)
  const [code] = await exit
  return { said, code }
}

test('a shell that waited becomes the command, to the letter, and takes nothing of what is behind its line', async () => {
  const odd = 'it\'s "$HOME" `id`\n\\n *'
  const command = ['sh', '-c', 'printf "%s|%s|%s|" "$0" "$ODD" "$PWD"; cat; exit 7', odd]
  const spec = { command, environment: { ODD: odd }, workingDir: '/usr' }
  const behind = 'the first line\nand no end'
  expect(await went({ ...spec, input: true }, behind)).toEqual({
    said: `${odd}|${odd}|/usr|${behind}`,
    code: 7,
  })
  expect(await went(spec, behind)).toEqual({ said: `${odd}|${odd}|/usr|`, code: 7 })
})

test('a folder that is not there, and nothing at all, end it', async () => {
  expect(await went({ command: ['echo', 'ran'], workingDir: '/not-there' }, '')).toMatchObject({ said: '' })
  const child = spawn('busybox', waitCommand, { stdio: ['ignore', 'ignore', 'inherit'] })
  expect((await once(child, 'exit'))[0]).not.toBe(0)
})

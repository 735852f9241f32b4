/** A Dockerfile for a source that has none, by whoever can make one of the source's files. */
import { Readable } from 'node:stream'
import { EngineError } from '../errors.ts'
import type { BuildSpec, SourceFiles } from './builder.ts'
import {
  type BuildCommandOptions,
  generatedFile,
  generatedIgnoreFile,
  hasIgnoreFileCommand,
  listCommand,
  readCommand,
  writeCommand,
} from './commands.ts'
import type { Sandbox } from './sandbox.ts'

/** Throws what the spec's `generate` throws. */
export async function generateDockerfile(
  sandbox: Sandbox,
  spec: BuildSpec,
  workingDir: string,
): Promise<BuildCommandOptions> {
  if (spec.generate === undefined)
    throw new EngineError('invalid', 'nobody makes a Dockerfile for this source')
  const files = await linesOf(sandbox, listCommand, workingDir)
  const source: SourceFiles = {
    files: (files ?? []).map((path) => path.replace(/^\.\//, '')),
    async read(path) {
      const lines = await linesOf(sandbox, readCommand(path), workingDir)
      return lines === null ? null : Buffer.from(lines.join(''), 'base64').toString('utf8')
    },
  }
  const { dockerfile, ignore } = await spec.generate(source)
  await write(generatedFile, dockerfile)
  const hasOwn = (await sandbox.run(hasIgnoreFileCommand, { workingDir })).code === 0
  if (hasOwn) return { dockerfile: generatedFile }
  await write(generatedIgnoreFile, ignore)
  return { dockerfile: generatedFile, ignoreFile: generatedIgnoreFile }

  async function write(path: string, content: string): Promise<void> {
    const { code, lines } = await sandbox.run(writeCommand(path), { input: Readable.from([content]) })
    if (code !== 0)
      throw new EngineError('internal', `the Dockerfile could not be written: ${lines.join(' ')}`)
  }
}

/** All that it says, and null where it fails. */
async function linesOf(sandbox: Sandbox, command: string[], workingDir: string): Promise<string[] | null> {
  const said: string[] = []
  const { code } = await sandbox.run(command, {
    workingDir,
    onLine: ({ stream, text }) => stream === 'stdout' && said.push(text),
  })
  return code === 0 ? said : null
}

import { execCommand, plan, shellCommand, stringsOf, user } from './dockerfile.ts'
import { type Detector, NotBuildable } from './source-view.ts'

export const deno: Detector = {
  lookedFor: 'deno.json or deno.jsonc (Deno)',
  async detect(source) {
    const config = source.first('deno.json', 'deno.jsonc')
    if (config === null) return null
    const tasks = stringsOf((await source.json(config)).tasks)
    const file = source.first(
      'main.ts',
      'server.ts',
      'index.ts',
      'mod.ts',
      'main.tsx',
      'main.js',
      'src/main.ts',
    )
    const command =
      source.webCommand !== null
        ? shellCommand(source.webCommand)
        : tasks.start !== undefined
          ? execCommand('deno', 'task', 'start')
          : file === null
            ? null
            : execCommand('deno', 'run', '--allow-net', '--allow-env', '--allow-read', file)
    if (command === null)
      throw new NotBuildable(
        `There is a ${config}, and nothing says what to start: add a task \`start\`, or main.ts.`,
      )
    const image = source.images.of('deno', '2')
    return plan('Deno', source, [
      `FROM ${image} AS build`,
      'WORKDIR /app',
      'ENV DENO_DIR=/app/.deno',
      'COPY . .',
      file === null ? 'RUN deno install' : `RUN deno cache ${file}`,
      tasks.build === undefined ? null : 'RUN deno task build',
      '',
      `FROM ${image}`,
      'WORKDIR /app',
      'ENV DENO_DIR=/app/.deno',
      `COPY --from=build --chown=${user} /app /app`,
      `USER ${user}`,
      command,
    ])
  },
}

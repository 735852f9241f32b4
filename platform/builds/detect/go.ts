import { copy, execCommand, plan, shellCommand, user, versionIn } from './dockerfile.ts'
import { type Detector, NotBuildable } from './source-view.ts'

export const go: Detector = {
  lookedFor: 'go.mod (Go)',
  async detect(source) {
    if (!source.has('go.mod')) return null
    const version = versionIn(await source.text('go.mod'), /^go\s+(\d+\.\d+)/m) ?? '1'
    const commands = source.files
      .filter((path) => /^cmd\/[\w.-]+\/main\.go$/.test(path))
      .map((path) => path.split('/')[1])
    const atTop = source.files.some((path) => /^[^/]+\.go$/.test(path) && !path.endsWith('_test.go'))
    const name = atTop
      ? null
      : (commands.find((each) => /^(server|web|api|app)$/.test(each ?? '')) ??
        (commands.length === 1 ? commands[0] : undefined))
    if (name === undefined)
      throw new NotBuildable(
        commands.length === 0
          ? 'There is a go.mod, and no main package: neither at the top nor below cmd/.'
          : `There are several programs below cmd/ (${commands.join(', ')}): name one of them server, or add a Dockerfile.`,
      )
    const what = `Go ${version}`
    return plan(what, source, [
      `FROM ${source.images.of('go', version)} AS build`,
      'WORKDIR /src',
      copy(source.has('go.sum') ? ['go.mod', 'go.sum'] : ['go.mod'], './'),
      source.files.some((path) => path.startsWith('vendor/')) ? null : 'RUN go mod download',
      'COPY . .',
      `RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /server ${name === null ? '.' : `./cmd/${name}`}`,
      '',
      `FROM ${source.images.of('debian')}`,
      'WORKDIR /app',
      'COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt',
      // Templates and pages lie beside the program, where it looks for them.
      'COPY --from=build /src /app',
      'COPY --from=build /server /app/server',
      `USER ${user}`,
      source.webCommand === null ? execCommand('/app/server') : shellCommand(source.webCommand),
    ])
  },
}

import { execCommand, isRecord, plan, shellCommand, user } from './dockerfile.ts'
import { type Detector, NotBuildable } from './source-view.ts'

export const rust: Detector = {
  lookedFor: 'Cargo.toml (Rust)',
  async detect(source) {
    if (!source.has('Cargo.toml')) return null
    const cargo = await source.toml('Cargo.toml')
    const bins = Array.isArray(cargo.bin) ? cargo.bin.filter(isRecord) : []
    const own = isRecord(cargo.package) ? cargo.package.name : undefined
    const name = String(bins[0]?.name ?? own ?? '')
    if (!/^[\w-]+$/.test(name))
      throw new NotBuildable(
        'There is a Cargo.toml without a package: choose the part to build by its folder, or add a Dockerfile.',
      )
    const isPlain =
      source.has('src/main.rs') &&
      !source.has('build.rs') &&
      cargo.workspace === undefined &&
      bins.length === 0
    const locked = source.has('Cargo.lock') ? ' --locked' : ''
    return plan(
      'Rust',
      source,
      [
        `FROM ${source.images.of('rust', '1')} AS build`,
        'WORKDIR /src',
        ...(isPlain
          ? [
              // What is depended on is built first, and taken from the cache as long as it is the same.
              `COPY Cargo.toml ${source.has('Cargo.lock') ? 'Cargo.lock ' : ''}./`,
              `RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release${locked} && rm -rf src`,
              'COPY . .',
              `RUN touch src/main.rs && cargo build --release${locked}`,
            ]
          : ['COPY . .', `RUN cargo build --release${locked} --bin ${name}`]),
        '',
        `FROM ${source.images.of('debian')}`,
        'WORKDIR /app',
        'COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt',
        `COPY --from=build /src/target/release/${name} /app/${name}`,
        ...['static', 'templates', 'public', 'assets', 'migrations']
          .filter((folder) => source.files.some((path) => path.startsWith(`${folder}/`)))
          .map((folder) => `COPY --from=build /src/${folder} /app/${folder}`),
        'ENV ROCKET_ADDRESS=0.0.0.0',
        `USER ${user}`,
        source.webCommand === null ? execCommand(`/app/${name}`) : shellCommand(source.webCommand),
      ],
      ['target'],
    )
  },
}

import { plan, shellCommand, user, versionIn } from './dockerfile.ts'
import { type Detector, NotBuildable } from './source-view.ts'

export const ruby: Detector = {
  lookedFor: 'Gemfile (Ruby)',
  async detect(source) {
    if (!source.has('Gemfile')) return null
    const gems = await source.text('Gemfile')
    const version =
      versionIn((await source.text('.ruby-version')).trim(), /^(?:ruby-)?(\d+\.\d+(?:\.\d+)?)$/) ??
      versionIn(gems, /^\s*ruby\s+["'](?:~>\s*)?(\d+\.\d+(?:\.\d+)?)["']/m) ??
      '3.4'
    const isRails = source.has('bin/rails') || /^\s*gem\s+["']rails["']/m.test(gems)
    const command =
      source.webCommand ??
      (isRails
        ? 'bundle exec rails server -b 0.0.0.0 -p $PORT'
        : source.has('config.ru')
          ? 'bundle exec rackup -o 0.0.0.0 -p $PORT'
          : source.has('app.rb')
            ? 'bundle exec ruby app.rb -o 0.0.0.0 -p $PORT'
            : null)
    if (command === null)
      throw new NotBuildable(
        'There is a Gemfile, and nothing says what to start: add config.ru, or a Procfile with a line `web: …`.',
      )
    const image = source.images.of('ruby', version)
    const settings =
      'ENV BUNDLE_PATH=/usr/local/bundle BUNDLE_WITHOUT=development:test RACK_ENV=production RAILS_ENV=production RAILS_LOG_TO_STDOUT=1 RAILS_SERVE_STATIC_FILES=1 PORT=3000'
    const libraries = [
      /["']pg["']/.test(gems) ? 'libpq-dev' : null,
      /["']mysql2["']/.test(gems) ? 'default-libmysqlclient-dev' : null,
      /["']sqlite3["']/.test(gems) ? 'libsqlite3-dev' : null,
    ].filter((name) => name !== null)
    const needed = libraries.map(
      (name) =>
        ({
          'libpq-dev': 'libpq5',
          'default-libmysqlclient-dev': 'libmariadb3',
          'libsqlite3-dev': 'libsqlite3-0',
        })[name] ?? name,
    )
    return plan(
      `Ruby ${version}${isRails ? ', Rails' : ''}`,
      source,
      [
        `FROM ${image} AS build`,
        'WORKDIR /app',
        `RUN apt-get update && apt-get install -y --no-install-recommends build-essential git libyaml-dev pkg-config${libraries.map((name) => ` ${name}`).join('')} && rm -rf /var/lib/apt/lists/*`,
        settings,
        `COPY Gemfile ${source.has('Gemfile.lock') ? 'Gemfile.lock ' : ''}${source.has('.ruby-version') ? '.ruby-version ' : ''}./`,
        `RUN ${source.has('Gemfile.lock') ? 'BUNDLE_FROZEN=1 ' : ''}bundle install`,
        'COPY . .',
        isRails && source.files.some((path) => path.startsWith('app/assets/'))
          ? 'RUN SECRET_KEY_BASE_DUMMY=1 SECRET_KEY_BASE=only-while-building bundle exec rails assets:precompile'
          : null,
        '',
        `FROM ${image}`,
        'WORKDIR /app',
        needed.length === 0
          ? null
          : `RUN apt-get update && apt-get install -y --no-install-recommends ${needed.join(' ')} && rm -rf /var/lib/apt/lists/*`,
        settings,
        'COPY --from=build /usr/local/bundle /usr/local/bundle',
        `COPY --from=build --chown=${user} /app /app`,
        `USER ${user}`,
        shellCommand(command),
      ],
      ['log/*', 'tmp/*', 'vendor/bundle'],
    )
  },
}

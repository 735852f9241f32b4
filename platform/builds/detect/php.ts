import { plan, shellCommand, stringsOf, user, versionIn } from './dockerfile.ts'
import type { Detector } from './source-view.ts'

/** Those that PHP's own image builds with nothing more installed. */
const buildable = ['pdo_mysql', 'mysqli', 'bcmath', 'exif', 'pcntl', 'sockets', 'opcache']

export const php: Detector = {
  lookedFor: 'composer.json or index.php (PHP)',
  async detect(source) {
    const folder = ['', 'public/', 'web/'].find((each) => source.has(`${each}index.php`))
    if (folder === undefined && !source.has('composer.json')) return null
    // A project of another language may keep a tool in composer.json.
    if (folder === undefined && source.webCommand === null) return null
    const composer = await source.json('composer.json')
    const needs = stringsOf(composer.require)
    const version = versionIn(needs.php, /(\d+\.\d+)/) ?? '8.4'
    const isLaravel = 'laravel/framework' in needs
    const extensions = [
      ...new Set(['pdo_mysql', ...Object.keys(needs).map((name) => name.replace(/^ext-/, ''))]),
    ].filter((name) => buildable.includes(name))
    const root = source.has('public/index.php')
      ? '/app/public'
      : source.has('web/index.php')
        ? '/app/web'
        : '/app'
    const image = source.images.of('php', version)
    const hasComposer = source.has('composer.json')
    return plan(
      `PHP ${version}${isLaravel ? ', Laravel' : ''}`,
      source,
      [
        ...(hasComposer
          ? [
              `FROM ${source.images.of('composer')} AS packages`,
              'WORKDIR /app',
              `COPY composer.json ${source.has('composer.lock') ? 'composer.lock ' : ''}./`,
              'RUN composer install --no-dev --no-interaction --no-scripts --no-autoloader --prefer-dist --ignore-platform-reqs',
              'COPY . .',
              'RUN composer dump-autoload --optimize --no-dev --no-scripts',
              '',
            ]
          : []),
        `FROM ${image}`,
        'WORKDIR /app',
        `RUN docker-php-ext-install ${extensions.join(' ')} && a2enmod rewrite`,
        // Apache reads the port when it starts; its own folders are the user's.
        `RUN sed -i 's/^Listen .*/Listen \${PORT}/' /etc/apache2/ports.conf && sed -i -e 's/\\*:80/*:\${PORT}/' -e 's#/var/www/html#${root}#' /etc/apache2/sites-available/000-default.conf && printf '<Directory ${root}>\\n  AllowOverride All\\n  Require all granted\\n</Directory>\\n' > /etc/apache2/conf-enabled/app.conf && chown -R ${user} /var/run/apache2 /var/log/apache2`,
        'ENV PORT=8080',
        hasComposer ? `COPY --from=packages --chown=${user} /app /app` : `COPY --chown=${user} . /app`,
        `USER ${user}`,
        source.webCommand === null ? 'CMD ["apache2-foreground"]' : shellCommand(source.webCommand),
      ],
      ['vendor'],
    )
  },
}

/** Real small applications, one for each language and framework that is built without a Dockerfile. */
import type { LanguageImageName } from './language-images.ts'

export interface LanguageApplication {
  needs: LanguageImageName[]
  files: Record<string, string>
  what: RegExp
  says: RegExp
  path?: string
  /** Built by itself; the others where they are asked for. */
  isQuick?: boolean
}

/** The versions by which they get the images that have more. */
const wholeNode = { '.nvmrc': '24.0' }
const ofDebian = { '.python-version': '3.11' }

const nodeServer = (say: string) =>
  `require('http').createServer((_, answer) => answer.end(${say})).listen(process.env.PORT)\n`
const manifest = (more: object) => JSON.stringify({ name: 'shop', private: true, ...more })

/** Plugins at the versions that Debian has. */
const plugin = (name: string, version: string, settings = '') =>
  `<plugin><artifactId>maven-${name}-plugin</artifactId><version>${version}</version>${settings}</plugin>`
const mainClass =
  '<configuration><archive><manifest><mainClass>shop.Main</mainClass></manifest></archive></configuration>'
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>shop</groupId><artifactId>shop</artifactId><version>1</version>
<properties>
  <maven.compiler.release>17</maven.compiler.release>
  <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
</properties>
<build><plugins>
${plugin('resources', '3.3.0')}
${plugin('compiler', '3.10.1')}
${plugin('surefire', '2.22.3')}
${plugin('jar', '3.3.0', mainClass)}
</plugins></build>
</project>
`

export const applications: Record<string, LanguageApplication> = {
  static: {
    ...{ needs: ['static'], what: /static pages/, isQuick: true },
    files: { 'index.html': 'home', 'about/index.html': 'about us' },
    ...{ path: '/about/', says: /^about us$/ },
  },
  python: {
    ...{ needs: ['python'], what: /^Python [\d.]+, pip$/, says: /^python as 1000$/, isQuick: true },
    files: {
      'requirements.txt': '# none\n',
      'app.py': [
        'import http.server, os',
        'class Page(http.server.BaseHTTPRequestHandler):',
        '  def do_GET(self):',
        '    self.send_response(200)',
        '    self.end_headers()',
        "    self.wfile.write(b'python as %d' % os.getuid())",
        "http.server.HTTPServer(('', int(os.environ['PORT'])), Page).serve_forever()",
      ].join('\n'),
    },
  },
  flask: {
    ...{ needs: ['pythonWhole'], what: /^Python 3\.11, Flask, pip$/, says: /^flask by gunicorn/ },
    files: {
      ...ofDebian,
      'requirements.txt': 'flask\n',
      'app.py': [
        'from flask import Flask, request',
        'app = Flask(__name__)',
        "@app.get('/')",
        'def page():',
        "  return 'flask by ' + request.environ['SERVER_SOFTWARE']",
      ].join('\n'),
    },
  },
  django: {
    ...{ needs: ['pythonWhole'], what: /^Python 3\.11, Django, pip$/, says: /^django by gunicorn/ },
    files: {
      ...ofDebian,
      'requirements.txt': 'django\n',
      'manage.py': "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
      'shop/__init__.py': '',
      'shop/settings.py': "SECRET_KEY = 'x'\nROOT_URLCONF = 'shop.urls'\nALLOWED_HOSTS = ['*']\n",
      'shop/urls.py': [
        'from django.http import HttpResponse',
        'from django.urls import path',
        "page = lambda request: HttpResponse('django by ' + request.META['SERVER_SOFTWARE'])",
        "urlpatterns = [path('', page)]",
      ].join('\n'),
      'shop/wsgi.py': [
        'import os',
        'from django.core.wsgi import get_wsgi_application',
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')",
        'application = get_wsgi_application()',
      ].join('\n'),
    },
  },
  fastapi: {
    ...{ needs: ['pythonWhole'], what: /^Python 3\.11, FastAPI, pip$/, says: /^"fastapi as 1000"$/ },
    files: {
      ...ofDebian,
      'requirements.txt': 'fastapi\n',
      'main.py': [
        'import os',
        'from fastapi import FastAPI',
        'app = FastAPI()',
        "@app.get('/')",
        'def page():',
        "  return 'fastapi as %d' % os.getuid()",
      ].join('\n'),
    },
  },
  procfile: {
    ...{ needs: ['node'], what: /^Node\.js/, says: /^web --blue$/, isQuick: true },
    files: {
      'package.json': manifest({ scripts: { start: 'false' } }),
      Procfile: 'release: false\nweb: node serve.js --blue\n',
      'serve.js': nodeServer("'web ' + process.argv[2]"),
    },
  },
  pnpm: {
    ...{ needs: ['node'], what: /^Node\.js .*pnpm$/, says: /^1m$/ },
    files: {
      'package.json': manifest({
        packageManager: 'pnpm@10.20.0',
        dependencies: { ms: '2.1.3' },
        scripts: { start: 'node server.js' },
      }),
      'server.js': nodeServer("require('ms')(60000)"),
    },
  },
  bun: {
    ...{ needs: ['bun'], what: /^Bun$/, says: /^bun 1m$/ },
    files: {
      'package.json': manifest({
        packageManager: 'bun@1.3.0',
        dependencies: { ms: '2.1.3' },
        scripts: { start: 'bun server.ts' },
      }),
      'server.ts':
        "import ms from 'ms'\nBun.serve({ port: process.env.PORT, fetch: () => new Response('bun ' + ms(60000)) })\n",
    },
  },
  deno: {
    ...{ needs: ['deno'], what: /^Deno$/, says: /^deno 1m$/ },
    files: {
      'deno.json': JSON.stringify({ imports: { ms: 'npm:ms@2.1.3' } }),
      'main.ts':
        "import ms from 'ms'\nDeno.serve({ port: Number(Deno.env.get('PORT')) }, () => new Response('deno ' + ms(60000)))\n",
    },
  },
  yarn: {
    ...{ needs: ['nodeWhole'], what: /^Node\.js 24\.0, yarn$/, says: /^1m$/ },
    files: {
      ...wholeNode,
      'package.json': manifest({
        packageManager: 'yarn@1.22.22',
        dependencies: { ms: '2.1.3' },
        scripts: { start: 'node server.js' },
      }),
      'server.js': nodeServer("require('ms')(60000)"),
    },
  },
  yarn4: {
    ...{ needs: ['nodeWhole'], what: /^Node\.js 24\.0, yarn$/, says: /^1m$/ },
    files: {
      ...wholeNode,
      'package.json': manifest({
        packageManager: 'yarn@4.9.2',
        dependencies: { ms: '2.1.3' },
        scripts: { start: 'node server.js' },
      }),
      'server.js': nodeServer("require('ms')(60000)"),
    },
  },
  next: {
    ...{ needs: ['nodeWhole'], what: /Next\.js/, says: /made by Next/ },
    files: {
      ...wholeNode,
      'package.json': manifest({
        dependencies: { next: '^16', react: '^19', 'react-dom': '^19' },
        scripts: { build: 'next build', start: 'next start' },
      }),
      'app/layout.js': 'export default ({ children }) => <html lang="en"><body>{children}</body></html>\n',
      'app/page.js': 'export default () => <p>made by Next</p>\n',
    },
  },
  vite: {
    ...{ needs: ['nodeWhole', 'static'], what: /Vite/, says: /assets\/index-.*\.js/ },
    files: {
      ...wholeNode,
      'package.json': manifest({ devDependencies: { vite: '^7' }, scripts: { build: 'vite build' } }),
      'index.html': '<!doctype html><script type="module" src="/main.js"></script>',
      'main.js': "document.body.append('made by Vite')\n",
    },
  },
  astro: {
    ...{ needs: ['nodeWhole', 'static'], what: /Astro/, says: /2 = 1 \+ 1/ },
    files: {
      ...wholeNode,
      'package.json': manifest({ dependencies: { astro: '^5' }, scripts: { build: 'astro build' } }),
      'src/pages/index.astro': '<p>{1 + 1} = 1 + 1</p>\n',
    },
  },
  go: {
    ...{ needs: ['go', 'debian'], what: /^Go 1\.19$/, says: /^go as 1000$/ },
    files: {
      'go.mod': 'module shop\n\ngo 1.19\n',
      'main.go': [
        'package main',
        'import ("fmt"; "net/http"; "os")',
        'func main() {',
        '  http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "go as %d", os.Getuid()) })',
        '  http.ListenAndServe(":" + os.Getenv("PORT"), nil)',
        '}',
      ].join('\n'),
    },
  },
  php: {
    ...{ needs: ['composer', 'php'], what: /^PHP 8\.2$/, says: /^php 8\.2 as 1000 in apache2handler$/ },
    files: {
      'composer.json': JSON.stringify({
        require: { php: '^8.2' },
        autoload: { 'psr-4': { 'Shop\\': 'src/' } },
        // Nothing is to be fetched.
        repositories: [{ 'packagist.org': false }],
      }),
      'src/Page.php': [
        '<?php',
        'namespace Shop;',
        'class Page {',
        '  static function say(): string {',
        "    return 'php ' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . ' as ' . posix_getuid() . ' in ' . PHP_SAPI;",
        '  }',
        '}',
      ].join('\n'),
      'public/index.php': "<?php\nrequire __DIR__ . '/../vendor/autoload.php';\necho Shop\\Page::say();\n",
    },
  },
  ruby: {
    ...{ needs: ['ruby'], what: /^Ruby 3\.1$/, says: /^ruby 3\.1 as 1000$/ },
    files: {
      '.ruby-version': '3.1\n',
      Gemfile: "source 'https://rubygems.org'\n",
      'app.rb': [
        "require 'socket'",
        "server = TCPServer.new('0.0.0.0', Integer(ENV.fetch('PORT')))",
        'loop do',
        '  client = server.accept',
        '  client.readpartial(4096)',
        '  say = "ruby #{RUBY_VERSION[/^\\d+\\.\\d+/]} as #{Process.uid}"',
        '  client.write("HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: #{say.size}\\r\\n\\r\\n#{say}")',
        '  client.close',
        'rescue SystemCallError, IOError',
        '  client&.close',
        'end',
      ].join('\n'),
    },
  },
  java: {
    ...{ needs: ['maven', 'jre'], what: /^Java 17, Maven$/, says: /^java 17$/ },
    files: {
      'pom.xml': pom,
      'src/main/java/shop/Main.java': [
        'package shop;',
        'import com.sun.net.httpserver.HttpServer;',
        'import java.net.InetSocketAddress;',
        'public class Main {',
        '  public static void main(String[] args) throws Exception {',
        '    var server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);',
        '    var page = ("java " + Runtime.version().feature()).getBytes();',
        '    server.createContext("/", exchange -> {',
        '      exchange.sendResponseHeaders(200, page.length);',
        '      try (var body = exchange.getResponseBody()) { body.write(page); }',
        '    });',
        '    server.start();',
        '  }',
        '}',
      ].join('\n'),
    },
  },
  rust: {
    ...{ needs: ['rust', 'debian'], what: /^Rust$/, says: /^rust$/ },
    files: {
      'Cargo.toml': '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/main.rs': [
        'use std::io::{Read, Write};',
        'fn main() {',
        '  let port = std::env::var("PORT").unwrap();',
        '  for stream in std::net::TcpListener::bind(format!("0.0.0.0:{port}")).unwrap().incoming() {',
        '    let mut stream = stream.unwrap();',
        '    let _ = stream.read(&mut [0; 4096]);',
        '    let _ = stream.write_all(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 4\\r\\n\\r\\nrust");',
        '  }',
        '}',
      ].join('\n'),
    },
  },
}

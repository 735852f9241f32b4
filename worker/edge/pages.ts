/** The pages that the edge itself answers with: whole in one file, no request leads anywhere else. */

export type PageName =
  | 'unknown'
  | 'stopped'
  | 'deploying'
  | 'failed'
  | 'silent'
  | 'broken'
  | 'timeout'
  | 'starting'

/** `both` on one page, for where HAProxy can't choose: its own errors are one file each. */
export const pageLanguages = ['en', 'zh-CN', 'both'] as const

export type PageLanguage = (typeof pageLanguages)[number]

interface Words {
  title: string
  text: string
}

const words: Record<PageName, { en: Words; 'zh-CN': Words; refreshSeconds?: number }> = {
  unknown: {
    en: {
      title: 'Nothing lives here',
      text: 'No app answers to this address. Check the spelling, or look the address up in the dashboard.',
    },
    'zh-CN': {
      title: '这里什么都没有',
      text: '没有应用使用此地址。请检查拼写，或在控制台中查看正确的地址。',
    },
  },
  stopped: {
    en: {
      title: 'This app is stopped',
      text: 'It was stopped on purpose. It comes back when its team starts it again.',
    },
    'zh-CN': { title: '应用已停止', text: '该应用已被手动停止，团队重新启动后即可访问。' },
  },
  deploying: {
    en: { title: 'Almost there', text: 'This app is starting. The page reloads by itself until it answers.' },
    'zh-CN': { title: '即将就绪', text: '应用正在启动，页面会自动刷新，直到应用可以访问。' },
    refreshSeconds: 2,
  },
  failed: {
    en: {
      title: 'Nothing runs here yet',
      text: 'This app has not been deployed successfully. Its deployments in the dashboard say why.',
    },
    'zh-CN': { title: '尚未成功部署', text: '该应用还没有成功的部署，原因请查看控制台中的部署记录。' },
  },
  silent: {
    en: {
      title: 'The app does not answer',
      text: 'It runs, but accepts no connections. Try again in a moment.',
    },
    'zh-CN': { title: '应用无响应', text: '应用正在运行，但未接受连接，请稍后重试。' },
  },
  broken: {
    en: {
      title: 'The app broke off the connection',
      text: 'It gave no whole answer. Its logs may say why.',
    },
    'zh-CN': { title: '应用中断了连接', text: '应用在返回完整响应之前断开了连接，原因可能在其日志中。' },
  },
  timeout: {
    en: { title: 'The app takes too long', text: 'It took the request and gave no answer in time.' },
    'zh-CN': { title: '应用响应超时', text: '应用接收了请求，但未能及时响应。' },
  },
  starting: {
    en: {
      title: 'Berth is starting',
      text: 'The dashboard will be here in a moment. The page reloads by itself.',
    },
    'zh-CN': { title: 'Berth 正在启动', text: '控制台即将可用，页面会自动刷新。' },
    refreshSeconds: 2,
  },
}

/** Status lines by page, shown small. */
const statusOf: Record<PageName, string> = {
  unknown: '404',
  stopped: '503',
  deploying: '503',
  failed: '503',
  silent: '503',
  broken: '502',
  timeout: '504',
  starting: '503',
}

/** The product's mark (app/icon.svg), in the page, since no request leads anywhere else. */
const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b7285"/>' +
    '<path d="M8 7v13.5a3.5 3.5 0 0 0 3.5 3.5h9a3.5 3.5 0 0 0 3.5-3.5V7" fill="none" stroke="#fff" stroke-width="2.5"' +
    ' stroke-linecap="round"/><rect x="12.75" y="8" width="6.5" height="10.5" rx="2" fill="#fff"/></svg>',
)}`

export const pages = Object.fromEntries(
  Object.keys(words).map((name) => [
    name,
    {
      en: render(name as PageName, ['en']),
      'zh-CN': render(name as PageName, ['zh-CN']),
      both: render(name as PageName, ['en', 'zh-CN']),
    },
  ]),
) as Record<PageName, Record<PageLanguage, string>>

/** Path below the edge's folder. */
export function pageFile(page: PageName, language: PageLanguage): string {
  return `pages/${page}.${language}.html`
}

function render(page: PageName, languages: ('en' | 'zh-CN')[]): string {
  const { refreshSeconds } = words[page]
  const [language = 'en', ...others] = languages
  const text = words[page][language]
  const rest = others.map((other) => {
    const { title, text } = words[page][other]
    return `\n<section lang="${other}">\n<h2>${title}</h2>\n<p>${text}</p>\n</section>`
  })
  const pulse = refreshSeconds === undefined ? '' : ' class="wait"'
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="${icon}">${refreshSeconds === undefined ? '' : `\n<meta http-equiv="refresh" content="${refreshSeconds}">`}
<title>${text.title}</title>
<style>
:root { color-scheme: light dark; --ground: #f6f8fa; --ink: #10202e; --soft: #51616f; --line: #0b7285; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d151c; --ink: #e8eef3; --soft: #93a4b3; --line: #3bc9db; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 2rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.6 system-ui, "PingFang SC", "Noto Sans SC", sans-serif; }
main { max-width: 30rem; }
svg { width: 3.5rem; height: 3.5rem; color: var(--line); }
.wait path { animation: swell 1.6s ease-in-out infinite alternate; }
@keyframes swell { to { transform: translateY(4px); } }
@media (prefers-reduced-motion: reduce) { .wait path { animation: none; } }
section { margin-top: 1.5rem; }
h2 { margin-bottom: .25rem; font-size: 1.125rem; line-height: 1.4; }
h1 { margin: 1.25rem 0 .5rem; font-size: 1.75rem; line-height: 1.25; letter-spacing: -.01em; }
p { color: var(--soft); }
small { display: block; margin-top: 2rem; color: var(--soft); font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<main>
<svg viewBox="0 0 56 56" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"${pulse}><path d="M8 32h40l-6 12H14zM28 32V10l14 16H28"/><path d="M4 50c4-3 8-3 12 0s8 3 12 0 8-3 12 0 8 3 12 0"/></svg>
<h1>${text.title}</h1>
<p>${text.text}</p>${rest.join('')}
<small>${statusOf[page]} · Berth</small>
</main>
</body>
</html>
`
}

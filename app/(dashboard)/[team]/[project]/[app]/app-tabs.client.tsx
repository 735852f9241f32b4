'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { cn } from '../../../../_ui/cn.ts'

const forDevelopers = new Set<string>(['variables', 'terminal', 'files'])

/** Each tab is a page with an address of its own. */
export function AppTabs({ path, isDeveloper }: { path: string; isDeveloper: boolean }) {
  const t = useTranslations('app.tabs')
  const current = usePathname()
  const tabs = (
    [
      'overview',
      'deployments',
      'timeline',
      'metrics',
      'alerts',
      'logs',
      'terminal',
      'files',
      'jobs',
      'git',
      'variables',
      'volumes',
      'domains',
      'settings',
    ] as const
  ).filter((tab) => isDeveloper || !forDevelopers.has(tab))
  return (
    <nav aria-label={t('label')} className="-mx-4 mt-6 mb-6 overflow-x-auto border-b px-4 sm:mx-0 sm:px-0">
      <ul className="flex gap-5">
        {tabs.map((tab) => {
          const href = tab === 'overview' ? path : `${path}/${tab}`
          const isCurrent = tab === 'overview' ? current === path : current.startsWith(href)
          return (
            <li key={tab}>
              <Link
                href={href}
                aria-current={isCurrent ? 'page' : undefined}
                className={cn(
                  '-outline-offset-2 inline-flex h-10 items-center whitespace-nowrap border-b-2 transition-colors',
                  isCurrent
                    ? 'border-accent font-medium text-foreground'
                    : 'border-transparent text-muted hover:text-foreground',
                )}
              >
                {t(tab)}
              </Link>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

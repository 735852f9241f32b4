'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { cn } from './cn.ts'

interface TabsProps {
  label: string
  tabs: { href: string; label: string }[]
}

/** Each tab is a page with an address of its own, or stands for all below it. */
export function Tabs({ label, tabs }: TabsProps) {
  const path = usePathname()
  const [current] = tabs
    .map(({ href }) => href)
    .filter((href) => path === href || path.startsWith(`${href}/`))
    .sort((a, b) => b.length - a.length)
  return (
    <nav aria-label={label} className="-mx-4 mb-6 overflow-x-auto border-b px-4 sm:mx-0 sm:px-0">
      <ul className="flex gap-5">
        {tabs.map((tab) => (
          <li key={tab.href}>
            <Link
              href={tab.href}
              aria-current={current === tab.href ? 'page' : undefined}
              className={cn(
                '-outline-offset-2 inline-flex h-10 items-center whitespace-nowrap border-b-2 transition-colors',
                current === tab.href
                  ? 'border-accent font-medium text-foreground'
                  : 'border-transparent text-muted hover:text-foreground',
              )}
            >
              {tab.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

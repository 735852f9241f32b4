-- CreateTable
CREATE TABLE "log_drains" (
    "id" TEXT NOT NULL,
    "teamId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "sealedTarget" TEXT NOT NULL,
    "targetHint" TEXT NOT NULL,
    "environmentIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "appIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "isEnabled" BOOLEAN NOT NULL DEFAULT true,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "log_drains_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "log_drain_cursors" (
    "drainId" TEXT NOT NULL,
    "appId" TEXT NOT NULL,
    "number" BIGINT NOT NULL,
    "last" BIGINT NOT NULL,
    "sentLines" BIGINT NOT NULL DEFAULT 0,
    "lostLines" BIGINT NOT NULL DEFAULT 0,
    "sentAt" TIMESTAMP(3),
    "failingSince" TIMESTAMP(3),
    "problem" TEXT,

    CONSTRAINT "log_drain_cursors_pkey" PRIMARY KEY ("drainId","appId")
);

-- CreateIndex
CREATE INDEX "log_drains_teamId_id_idx" ON "log_drains"("teamId", "id");

-- CreateIndex
CREATE INDEX "log_drain_cursors_appId_idx" ON "log_drain_cursors"("appId");

-- AddForeignKey
ALTER TABLE "log_drains" ADD CONSTRAINT "log_drains_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "log_drain_cursors" ADD CONSTRAINT "log_drain_cursors_drainId_fkey" FOREIGN KEY ("drainId") REFERENCES "log_drains"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "log_drain_cursors" ADD CONSTRAINT "log_drain_cursors_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

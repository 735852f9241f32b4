-- CreateTable
CREATE TABLE "builds" (
    "deploymentId" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "sourceBytes" BIGINT NOT NULL,
    "sourceFile" TEXT NOT NULL,
    "startedAt" TIMESTAMP(3),
    "finishedAt" TIMESTAMP(3),
    "hadCache" BOOLEAN,
    "waiting" JSONB,
    "log" BYTEA,

    CONSTRAINT "builds_pkey" PRIMARY KEY ("deploymentId")
);

-- AddForeignKey
ALTER TABLE "builds" ADD CONSTRAINT "builds_deploymentId_fkey" FOREIGN KEY ("deploymentId") REFERENCES "deployments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

/** For the test of the lock: takes it, says so and holds it until it is killed. */
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { lockFolder } from './folder-lock.ts';

lockFolder(process.argv[2], { pid: process.pid, startedAtMs: 5, program: 'holder' }, openBetterSqlite3);
process.stdout.write('held\n');
setInterval(() => undefined, 60_000);

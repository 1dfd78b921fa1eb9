/** Files as ByteSources: the services' own reader (main/library), which hosts use too. */
export { openFileSource, type FileSource } from '../../library/file-source.ts';

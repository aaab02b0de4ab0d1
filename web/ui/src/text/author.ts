/** Words of authoring: files and drafts, the editor, rehearsals, and publishing. */

export const AUTHOR = {
  title: 'Author',
  note: 'Journeys are files. A draft changes nothing until it is published; the file in the folder is written then.',
  create: 'New journey',
  name: 'Name',
  nameHint: 'Letters, digits, - and _; it is the file’s name, too.',
  nameBad: 'Begin with a letter or digit, and use only letters, digits, - and _.',
  nameTaken: 'There is a file of that name already.',
  folder: 'Folder',
  makeIt: 'Create the draft',
  kinds: { journey: 'Journey', shared: 'Segments and policy', flag: 'Flag', metrics: 'Metrics', unknown: 'Unknown' },
  columns: { file: 'File', kind: 'Kind', state: 'State', problems: 'Errors', updated: 'Changed', by: 'By' },
  states: { draft: 'Draft', fresh: 'New draft', file: 'As published' },
  empty: {
    title: 'No files are mounted',
    text: 'Name a folder of definitions under journeys: in sojourn.yaml, and start the server again. Its files appear here.',
  },
  template: (name: string) => `# What is it for? Say so here: whoever reads it next year will thank you.
journey: ${name}
entry: { on: Signed Up }
goal:  { on: Order Completed, within: 7d }
states:
  waiting:
    after: { 1d: reminded }
  reminded:
    do:
      - console:
        body: { say: "hello again" }
    after: { 6d: done }
`,
  saved: { clean: 'As in the file', saved: 'Draft saved', waiting: 'Saving…', saving: 'Saving…', conflict: 'Somebody else changed it', failed: 'Not saved' },
  drop: 'Drop the draft',
  dropTitle: 'Drop this draft?',
  dropText: 'The file in the folder stays as it is. What you wrote in this draft is gone.',
  readOnly: 'You may look at this, and not change it: that needs the role editor.',
  editor: 'The definition, as YAML',
  leave: 'Tab indents; Esc, then Tab leaves the text.',
  chart: {
    none: 'The chart appears when the text is a journey without errors.',
    stale: 'The chart is of the last text without errors.',
    pick: 'Choose a step: it leads to its text, and others can be added behind it.',
    add: 'Add behind it', send: 'Message', wait: 'Wait', branch: 'Branch', rename: 'Rename', remove: 'Take out',
    cannot: 'This place cannot be changed on the chart: it is written in one line, or made from other steps. Change it in the text.',
    newName: 'New name',
  },
  problems: { title: 'Problems', none: 'No problems', at: (line: number, column: number) => `Line ${line}, column ${column}`, ok: 'Checked: no problems' },
  conflict: {
    title: 'Somebody else saved this meanwhile',
    text: 'On the left is what is there now, on the right what you wrote. Change the right side to what it should be, and keep it.',
    by: (who: string, when: string) => `Saved by ${who}, ${when}`,
    file: 'The file in the folder changed',
    theirs: 'Take theirs',
    mine: 'Keep the right side',
  },
  rehearse: {
    title: 'Rehearse',
    lead: 'Run the draft before anybody receives anything.',
    replay: 'Replay', simulate: 'Simulate',
    replayText: 'Your own history runs through the draft, beside what is published: who would have got what?',
    simulateText: 'Invented people live with the draft in virtual time: does anything look wrong?',
    last: 'Of the last', lasts: { '1d': 'day', '7d': 'week', '30d': 'month' },
    people: 'People', days: 'Days', seed: 'Seed',
    start: 'Start', cancel: 'Cancel', again: 'Another one',
    phases: { reading: 'Reading the history…', playing: 'Playing events…', living: 'Living…', '': 'Waiting for its turn…' } as Readonly<Record<string, string>>,
    failed: 'The rehearsal failed', cancelled: 'Cancelled',
    affected: 'People who get something else', of: (n: string) => `of ${n}`,
    columns: { what: '', draft: 'Draft', published: 'Published', change: 'Change' },
    rows: { entered: 'Entered', goals: 'Reached the goal', errors: 'Errors' },
    sent: (what: string) => `Sent: ${what}`,
    noEffect: 'What people did is as it was: a replay tells who would get what, and not whether it would win them over. A hold-out or an experiment does.',
    onChart: 'The numbers on the chart are of this rehearsal of the draft.',
    clear: 'Take them off',
    wrong: 'Looks wrong',
  },
  publish: {
    title: 'Publish',
    lead: 'What happens to people who are inside now?',
    pin: 'Stay in their version', follow: 'Go along', map: 'Go along, by my map',
    about: {
      pin: 'New people enter the new version; those inside finish the one they are in.',
      follow: 'Those inside move to the state of the same name; where there is none, it is refused.',
      map: 'Those inside move as you say, state by state.',
    },
    preview: 'Preview', nobody: 'Nobody is inside.', unchanged: 'Nothing changes.',
    columns: { version: 'Version', state: 'State', people: 'People', lands: 'Then in' },
    stays: 'stays in this version', nowhere: 'nowhere to go',
    refused: 'It cannot be published like this',
    changes: { new: 'new', changed: 'changed', removed: 'closed', unchanged: 'unchanged' } as Readonly<Record<string, string>>,
    shared: 'Beside journeys', go: 'Publish', done: 'Published',
    doneText: (name: string) => `${name} is in force. Watch people move through it.`,
    watch: 'Watch it',
    errors: 'There are errors: mend them first.',
    choose: 'Choose a state',
    notSaved: 'Wait until the draft is saved.',
  },
} as const

$global:BubbleCommands = @{
@cases@
}

Register-ArgumentCompleter -Native -CommandName bubble -ScriptBlock {
    param($word, $line, $position)
    $home_ = @home@
    $typed = @($line.CommandElements | ForEach-Object { $_.ToString() } | Select-Object -Skip 1)
    if ($word -ne '' -and $typed.Count -gt 0) { $typed = @($typed | Select-Object -SkipLast 1) }
    $command = ''
    if ($typed.Count -gt 0) { $command = $typed[0] }
    if ($typed.Count -gt 1 -and $typed[0] -in @(@groups@)) { $command = "$($typed[0]) $($typed[1])" }
    $known = $global:BubbleCommands[$command]
    if ($null -eq $known) { return }
    $rest = $known.rest
    $previous = if ($typed.Count -gt 0) { $typed[-1] } else { '' }
    if ($known.values.ContainsKey($previous)) { $rest = $known.values[$previous] }
    elseif ("$word".StartsWith('-')) { $rest = 'options' }
    $found = foreach ($one in $rest.Split('+')) {
        switch -Wildcard ($one) {
            'commands' { $known.commands.GetEnumerator() | ForEach-Object { , @($_.Key, $_.Value) } }
            'options' { $known.options.GetEnumerator() | ForEach-Object { , @($_.Key, $_.Value) } }
            'python' { Get-ChildItem -ErrorAction Ignore "$home_/pythons" | ForEach-Object { , @($_.Name, $_.Name) } }
            'command' { Get-ChildItem -ErrorAction Ignore "$home_/shims" | ForEach-Object { , @($_.Name, $_.Name) } }
            'environment' { Get-ChildItem -ErrorAction Ignore "$home_/envs" | ForEach-Object { , @($_.Name, $_.Name) } }
            'system' { , @('system', 'system') }
            { $_ -in 'bubble', 'installable' } {
                $asked = if ($_ -eq 'bubble') { '--bubbles' } else { '--installable' }
                $program = Get-Command -ErrorAction Ignore -CommandType Application bubble | Select-Object -First 1
                if ($program) { & $program completions $asked 2>$null | ForEach-Object { , @($_, $_) } }
            }
            '*,*' { $one.Split(',') | Where-Object { $_ } | ForEach-Object { , @($_, $_) } }
        }
    }
    $found | Where-Object { $_ -and $_[0].StartsWith($word) } | ForEach-Object {
        [Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
    }
}

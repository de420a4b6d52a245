# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

all
rule 'MD007', :indent => 2                        # list indent, as in the sources
rule 'MD013', :line_length => 160, :ignore_code_blocks => true, :tables => false
rule 'MD024', :allow_different_nesting => true    # "Added" under every release of the change log
rule 'MD029', :style => :ordered
exclude_rule 'MD026'                              # a heading may be a question
exclude_rule 'MD033'                              # <details>, <br> in tables
exclude_rule 'MD046'                              # fenced and indented code side by side
